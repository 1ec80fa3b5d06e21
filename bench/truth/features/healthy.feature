@timeout(800ms)
Feature: Nothing is wrong

  Scenario: healthy
    When I publish "orders.placed":
      """
      order: {id: o-1, currency: EUR, items: [{quantity: 2, price: 450}]}
      """
    Then I expect "orders.settled" within 800ms:
      | field               | value |
      | settlement.amount   | 900   |
      | settlement.currency | EUR   |
    And I expect in order within 800ms:
      | topic              |
      | orders.accepted    |
      | fraud.checked      |
      | orders.settled     |
      | notifications.sent |
