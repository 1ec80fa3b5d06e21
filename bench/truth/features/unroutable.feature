@timeout(800ms)
Feature: Nobody listens to what is published

  Scenario: unroutable
    When I publish "parcels.weighed":
      """
      weight: 3
      """
    Then I expect "orders.settled"
