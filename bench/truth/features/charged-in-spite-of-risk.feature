@timeout(800ms)
Feature: An order of high risk is settled instead of held

  Scenario: charged in spite of risk
    When I publish "orders.placed":
      """
      order: {id: o-1, currency: EUR, items: [{quantity: 30, price: 49900}], country: NZ, simulate: "topic:orders.settled"}
      """
    Then I expect no "orders.settled" for 500ms
