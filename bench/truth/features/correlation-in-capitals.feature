@timeout(800ms)
Feature: Settlement writes the correlation id in capitals

  Scenario: correlation in capitals
    When I publish "orders.placed":
      """
      order: {id: o-1, currency: EUR, items: [{quantity: 2, price: 450}], simulate: "capitals"}
      """
    Then I expect "orders.settled"
