@timeout(800ms)
Feature: Settlement misspells its topic

  Scenario: wrong topic
    When I publish "orders.placed":
      """
      order: {id: o-1, currency: EUR, items: [{quantity: 2, price: 450}], simulate: "topic:orders.setled"}
      """
    Then I expect "orders.settled"
