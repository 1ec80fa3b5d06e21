@timeout(800ms)
Feature: Settlement writes the names of its headers with capitals

  Scenario: header name in capitals
    When I publish "orders.placed":
      """
      order: {id: o-1, currency: EUR, items: [{quantity: 2, price: 450}], simulate: "titled"}
      """
    Then I expect "orders.settled":
      | field             | value |
      | settlement.amount | 900   |
      | @headers.order-id | o-1   |
