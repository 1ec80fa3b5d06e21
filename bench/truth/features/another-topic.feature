@timeout(800ms)
Feature: Settlement sends where nobody looks

  Scenario: another topic
    When I publish "orders.placed":
      """
      order: {id: o-1, currency: EUR, items: [{quantity: 2, price: 450}], simulate: "topic:billing.done"}
      """
    Then I expect "orders.settled"
