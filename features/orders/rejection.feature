Feature: Rejection
  Intake says what is wrong with an order, and nothing behind it ever hears of that order.

  Rule: Every problem is named by its field

    Scenario: Several problems at once
      When I publish "orders.placed":
        """
        order:
          currency: DKK
          items:
            - {sku: tea, quantity: 0, price: 450}
            - {sku: pot, quantity: 1}
        """
      Then I expect "orders.rejected":
        """
        problems: !unordered
          - {field: order.id}
          - {field: order.currency, reason: !matches '.*EUR.*USD.*'}
          - {field: "order.items[0].quantity", reason: !contains above zero}
          - {field: "order.items[1].price"}
        """

    Scenario: An order that is no order
      When I publish "orders.placed"
      Then I expect "orders.rejected":
        | field              | value |
        | problems[0].field  | order |
        | problems[*].reason | any   |

    Scenario Outline: Where the goods are wrong: <case>
      When I publish "orders.placed":
        """
        order: {id: goods, currency: EUR, items: <items>}
        """
      Then I expect "orders.rejected":
        | field             | value    |
        | problems          | length 1 |
        | problems[?].field | <field>  |

      Examples:
        | case           | items                                    | field                   |
        | nothing at all | []                                       | order.items             |
        | half a teapot  | [{sku: pot, quantity: 0.5, price: 2900}] | order.items[0].quantity |
        | for nothing    | [{sku: pot, quantity: 1, price: 0}]      | order.items[0].price    |

  Rule: A rejected order goes no further

    Scenario: No charge and no mail for an order in a foreign currency
      When I publish "orders.placed":
        | field          | value                                         |
        | order.id       | krone                                         |
        | order.currency | DKK                                           |
        | order.items    | [{"sku": "tea", "quantity": 1, "price": 450}] |
      Then I expect "orders.rejected" where problems[0].field is "order.currency"
      But I expect no "orders.accepted" for 150ms
      And I expect no "notifications.sent" for 150ms
