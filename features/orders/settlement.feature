Feature: Settlement
  An order that intake accepts and the fraud check clears is charged to the customer.
  All amounts are in cents; the payment provider keeps 1.5 % and 25 cents.

  Background:
    Given order_id is a unique id

  Scenario: An order runs through the whole pipeline
    When I publish "orders.placed":
      """
      order:
        id: "{{ order_id }}"
        customer: c-7
        currency: EUR
        items:
          - {sku: tea, quantity: 2, price: 450}
          - {sku: pot, quantity: 1, price: 2900}
      """
    Then I expect "orders.accepted" where total is 3800
    And I expect "fraud.checked" where risk.level is "low"
    And I expect "orders.settled" within 1s:
      """
      order: {id: "{{ order_id }}"}
      settlement:
        reference: !uuid
        amount: 3800
        currency: EUR
        fee: 82
        net: !between [3700, 3800]
        settled_at: !iso8601
      service_ms: !ge 0
      """
    And I expect "notifications.sent" where to is "c-7" and text contains "38.00 EUR"

  Scenario Outline: The provider's fee on <quantity> × <price>
    When I publish "orders.placed":
      | field                   | value          |
      | order.id                | {{ order_id }} |
      | order.currency          | <currency>     |
      | order.items[0].sku      | tea            |
      | order.items[0].quantity | <quantity>     |
      | order.items[0].price    | <price>        |
    Then I expect "orders.settled" where order.id is "{{ order_id }}":
      | field                | value      |
      | settlement.amount    | <amount>   |
      | settlement.currency  | <currency> |
      | settlement.fee       | <fee>      |
      | settlement.net       | <net>      |
      | settlement.reference | a uuid     |

    Examples: around a rounding step
      | quantity | price | currency | amount | fee | net |
      | 1        | 100   | EUR      | 100    | 27  | 73  |
      | 3        | 333   | GBP      | 999    | 40  | 959 |

    Examples: a large one
      | quantity | price | currency | amount | fee  | net   |
      | 5        | 19990 | USD      | 99950  | 1524 | 98426 |
