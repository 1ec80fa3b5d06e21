@timeout(800ms)
Feature: Settlement does not keep the time to withdraw that was agreed

  Scenario: too early
    When I publish "orders.placed":
      """
      order: {id: o-1, currency: EUR, items: [{quantity: 2, price: 450}]}
      """
    Then I expect "orders.settled" not before 700ms
