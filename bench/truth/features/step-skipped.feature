@timeout(800ms)
Feature: The fraud check is never made: intake says it is, and does not ask

  Scenario: step skipped
    When I publish "orders.placed":
      """
      order: {id: o-1, currency: EUR, items: [{quantity: 2, price: 450}], simulate: "topic:fraud.checked@intake"}
      """
    Then I expect in order:
      | topic           |
      | orders.accepted |
      | fraud.checked   |
