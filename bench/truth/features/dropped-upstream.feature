@timeout(800ms)
Feature: The fraud check is silent, so settlement never hears of the order

  Scenario: dropped upstream
    When I publish "orders.placed":
      """
      order: {id: o-1, currency: EUR, items: [{quantity: 2, price: 450}], simulate: "silent@fraud"}
      """
    Then I expect "orders.settled"
