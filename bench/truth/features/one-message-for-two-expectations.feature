@timeout(800ms)
Feature: Two orders are placed, one is settled

  Scenario: one message for two expectations
    When I publish "orders.placed":
      """
      order: {id: o-1, currency: EUR, items: [{quantity: 2, price: 450}]}
      """
    And I publish "orders.placed":
      """
      order: {id: o-2, currency: EUR, items: [{quantity: 2, price: 450}], simulate: "silent"}
      """
    Then I expect "orders.settled"
    And I expect another "orders.settled"
