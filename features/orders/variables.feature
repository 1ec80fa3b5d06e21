Feature: Variables
  What a scenario makes up, and what it learns from a message, can be used in every later step.

  Scenario: Texts, values and unique ids
    Given order_id is a unique id
    And customer is "c-{{ order_id }}"
    And quantity is 3
    And items is [{"sku": "tea", "quantity": 3, "price": 450}]
    When I publish "orders.placed":
      | field          | value          |
      | order.id       | {{ order_id }} |
      | order.customer | {{ customer }} |
      | order.currency | EUR            |
      | order.items    | {{ items }}    |
    Then I expect "orders.settled":
      | field                   | value                |
      | order.items[0].quantity | {{ quantity }}       |
      | settlement.amount       | {{ quantity * 450 }} |
    And I expect "notifications.sent" where to is "c-{{ order_id }}"

  Scenario: Several at once, and functions
    Given the variables:
      | name     | value        |
      | order_id | {{ uuid() }} |
      | price    | 450          |
      | currency | GBP          |
    When I publish "orders.placed":
      """
      order:
        id: {{ order_id }}
        currency: {{ currency }}
        note: placed at {{ now() }}
        items: [{sku: tea, quantity: 2, price: {{ price }}}]
      """
    Then I expect "orders.settled" where order.note matches /placed at 2.*Z/:
      """
      order: {id: !uuid , items: [{price: 450}]}
      settlement: {amount: {{ price * 2 }}, currency: {{ currency }}}
      """

  Scenario: What settlement says is what the mail repeats
    # the second expectation listens from the start and judges once the reference is known
    When I publish "orders.placed" from file "data/tea-order.json"
    Then I expect "orders.settled" where settlement.amount > 0
    And I keep "settlement.reference" of "orders.settled" as reference
    And I expect "notifications.sent":
      | field     | value           |
      | reference | {{ reference }} |
    And I expect no "orders.held" where reference is "{{ reference }}" for 100ms
