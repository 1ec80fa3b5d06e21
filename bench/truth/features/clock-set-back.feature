@timeout(2s)
Feature: Settlement's clock is an hour slow; its message comes in time all the same

  Scenario: clock set back
    When I publish "orders.placed":
      """
      order: {id: o-1, currency: EUR, items: [{quantity: 2, price: 450}], simulate: "clock:3600"}
      """
    Then I expect "orders.settled" within 700ms:
      | field             | value |
      | settlement.amount | 900   |
    And from "fraud.checked" to "orders.settled" takes at most 700ms
