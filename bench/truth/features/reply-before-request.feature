@timeout(800ms)
Feature: An answer comes before the question it belongs to

  Scenario: reply before request
    When I publish "orders.placed":
      """
      order: {id: o-1, currency: EUR, items: [{quantity: 2, price: 450}], simulate: "ahead:fraud.checked@intake"}
      """
    Then I expect in order:
      | topic           | risk   |
      | orders.accepted |        |
      | fraud.checked   | absent |
