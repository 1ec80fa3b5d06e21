@timeout(800ms)
Feature: Intake refuses the order, since its wish cannot be read

  Scenario: refused
    When I publish "orders.placed":
      """
      order: {id: o-1, currency: EUR, items: [{quantity: 2, price: 450}], simulate: "silnt"}
      """
    Then I expect no "orders.rejected" for 400ms
