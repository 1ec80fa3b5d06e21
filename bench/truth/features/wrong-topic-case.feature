@timeout(800ms)
Feature: Settlement writes its topic with a capital

  Scenario: wrong topic case
    When I publish "orders.placed":
      """
      order: {id: o-1, currency: EUR, items: [{quantity: 2, price: 450}], simulate: "topic:Orders.settled"}
      """
    Then I expect "orders.settled"
