@timeout(800ms)
Feature: Settlement sends gzip that nobody expects

  Scenario: compressed payload
    When I publish "orders.placed":
      """
      order: {id: o-1, currency: EUR, items: [{quantity: 2, price: 450}], simulate: "gzip"}
      """
    Then I expect "orders.settled"
