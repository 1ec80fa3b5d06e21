@timeout(800ms)
Feature: One order of ten is never settled

  Scenario: one of many lost
    When I publish 9 "orders.placed" messages:
      """
      order: {id: "o-{{ index }}", currency: EUR, items: [{quantity: 2, price: 450}]}
      """
    And I publish "orders.placed":
      """
      order: {id: o-9, currency: EUR, items: [{quantity: 2, price: 450}], simulate: "silent"}
      """
    Then I expect at least 10 "orders.settled" messages
