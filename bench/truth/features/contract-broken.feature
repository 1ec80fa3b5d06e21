@timeout(800ms)
Feature: Settlement breaks the schema that its readers rely on

  Scenario: contract broken
    When I publish "orders.placed":
      """
      order: {id: o-1, currency: EUR, items: [{quantity: 2, price: 450}], simulate: "type:settlement.fee"}
      """
    Then I expect "orders.settled" matching schema "settled.schema.json"
