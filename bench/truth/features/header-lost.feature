@timeout(800ms)
Feature: Settlement loses the headers of its message

  Scenario: header lost
    When I publish "orders.placed":
      """
      order: {id: o-1, currency: EUR, items: [{quantity: 2, price: 450}], simulate: "headless"}
      """
    Then I expect "orders.settled":
      | field             | value |
      | settlement.amount | 900   |
      | @headers.order-id | o-1   |
