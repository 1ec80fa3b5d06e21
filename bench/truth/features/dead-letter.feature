@timeout(800ms)
Feature: Settlement gives up, and its message goes where nobody wants one

  Scenario: dead letter
    When I publish "orders.placed":
      """
      order: {id: o-1, currency: EUR, items: [{quantity: 2, price: 450}], simulate: "topic:orders.dead"}
      """
    Then I expect no "orders.dead" for 400ms
