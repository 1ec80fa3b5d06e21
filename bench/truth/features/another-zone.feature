@timeout(800ms)
Feature: Settlement tells its time in another zone, which is no fault

  Scenario: another zone
    Given began is "{{ now() }}"
    When I publish "orders.placed":
      """
      order: {id: o-1, currency: EUR, items: [{quantity: 2, price: 450}], simulate: "abroad:settlement.settled_at"}
      """
    Then I expect "orders.settled" where settlement.settled_at is after {{ began }}
