@timeout(800ms)
Feature: Settlement is down for a while, and works again afterwards

  Scenario: partial outage
    When I publish "orders.placed":
      """
      order: {id: o-1, currency: EUR, items: [{quantity: 2, price: 450}], simulate: "outage:150"}
      """
    And I publish "orders.placed":
      """
      order: {id: o-2, currency: EUR, items: [{quantity: 2, price: 450}]}
      """
    And I wait 400ms
    And I publish "orders.placed":
      """
      order: {id: o-3, currency: EUR, items: [{quantity: 2, price: 450}]}
      """
    Then I expect exactly 3 "orders.settled" messages within 800ms
