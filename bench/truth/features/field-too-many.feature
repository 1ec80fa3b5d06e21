@timeout(800ms)
Feature: Settlement sends a field that nobody knows

  Scenario: field too many
    When I publish "orders.placed":
      """
      order: {id: o-1, currency: EUR, items: [{quantity: 2, price: 450}], simulate: "extra:settlement.note"}
      """
    Then I expect "orders.settled":
      """
      settlement: !exactly {amount: 900, currency: EUR, fee: 39, net: 861, reference: !any , settled_at: !any }
      """
