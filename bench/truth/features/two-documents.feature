@timeout(800ms)
Feature: Settlement sends its message twice in one

  Scenario: two documents
    When I publish "orders.placed":
      """
      order: {id: o-1, currency: EUR, items: [{quantity: 2, price: 450}], simulate: "concatenated"}
      """
    Then I expect "orders.settled"
