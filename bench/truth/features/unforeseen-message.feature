@timeout(800ms)
Feature: A message comes that no check accounts for

  Scenario: unforeseen message
    When I publish "orders.placed":
      """
      order: {id: o-1, currency: EUR, items: [{quantity: 2, price: 450}], simulate: "echo:100@notification"}
      """
    Then I expect "notifications.sent"
    And I expect nothing else for 500ms
