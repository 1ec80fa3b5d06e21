@timeout(2s)
Feature: The fraud check takes longer than its share

  Scenario: hop too slow
    When I publish "orders.placed":
      """
      order: {id: o-1, currency: EUR, items: [{quantity: 2, price: 450}], simulate: "slow:400@fraud"}
      """
    Then from "orders.accepted" to "fraud.checked" takes at most 150ms
