@timeout(500ms)
Feature: Settlement answers when nobody waits any more

  Scenario: delayed past timeout
    When I publish "orders.placed":
      """
      order: {id: o-1, currency: EUR, items: [{quantity: 2, price: 450}], simulate: "slow:600"}
      """
    Then I expect "orders.settled"
