@timeout(800ms)
Feature: Settlement leaves its reference out

  Scenario: missing field
    When I publish "orders.placed":
      """
      order: {id: o-1, currency: EUR, items: [{quantity: 2, price: 450}], simulate: "without:settlement.reference"}
      """
    Then I expect "orders.settled":
      | field                | value  |
      | settlement.reference | exists |
      | settlement.amount    | 900    |
