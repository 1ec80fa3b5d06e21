@timeout(800ms)
Feature: Settlement sends its message once more after a while

  Scenario: duplicated late
    When I publish "orders.placed":
      """
      order: {id: o-1, currency: EUR, items: [{quantity: 2, price: 450}], simulate: "echo:150"}
      """
    Then I expect "orders.settled"
    And I expect no other "orders.settled" for 600ms
