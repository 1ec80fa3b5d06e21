@timeout(800ms)
Feature: Of three that have to hear of an order one is left out

  Scenario: one of three missing
    When I publish "orders.placed":
      """
      order: {id: o-1, currency: EUR, items: [{quantity: 2, price: 450}], simulate: "silent@notification"}
      """
    Then I expect "orders.accepted"
    And I expect "orders.settled"
    And I expect "notifications.sent"
