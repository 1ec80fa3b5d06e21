@timeout(800ms)
Feature: Settlement sends Latin-1 where everybody reads UTF-8

  Scenario: another encoding
    When I publish "orders.placed":
      """
      order: {id: o-1, customer: Zoë, currency: EUR, items: [{quantity: 2, price: 450}], simulate: "latin1"}
      """
    Then I expect "orders.settled"
