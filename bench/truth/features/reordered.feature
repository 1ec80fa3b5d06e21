@timeout(800ms)
Feature: An order overtakes the one before it

  Scenario: reordered
    When I publish "orders.placed":
      """
      order: {id: o-1, currency: EUR, items: [{quantity: 2, price: 450}], simulate: "slow:250"}
      """
    And I publish "orders.placed":
      """
      order: {id: o-2, currency: EUR, items: [{quantity: 2, price: 450}]}
      """
    Then I expect in order:
      | topic          | order.id |
      | orders.settled | o-1      |
      | orders.settled | o-2      |
