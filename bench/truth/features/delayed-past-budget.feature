@timeout(2s)
Feature: Settlement takes longer than is allowed, and not so long that nobody waits

  Scenario: delayed past budget
    When I publish "orders.placed":
      """
      order: {id: o-1, currency: EUR, items: [{quantity: 2, price: 450}], simulate: "slow:400"}
      """
    Then I expect "orders.settled" within 200ms
