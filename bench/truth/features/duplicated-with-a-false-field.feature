@timeout(800ms)
Feature: Settlement sends its message, and once more with another amount

  Scenario: duplicated with a false field
    When I publish "orders.placed":
      """
      order: {id: o-1, currency: EUR, items: [{quantity: 2, price: 450}], simulate: "twin:settlement.amount"}
      """
    Then I expect "orders.settled":
      | field             | value |
      | settlement.amount | 900   |
    And I expect nothing else for 400ms
