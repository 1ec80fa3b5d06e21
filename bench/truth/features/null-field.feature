@timeout(800ms)
Feature: Settlement sends null where a reference belongs

  Scenario: null field
    When I publish "orders.placed":
      """
      order: {id: o-1, currency: EUR, items: [{quantity: 2, price: 450}], simulate: "null:settlement.currency"}
      """
    Then I expect "orders.settled":
      | field               | value |
      | settlement.currency | EUR   |
