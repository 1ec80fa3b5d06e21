Feature: Fraud check
  Every accepted order gets a risk score from 0 to 1. An order of high risk is held, not settled.

  Scenario Outline: <level> risk: <why>
    When I publish "orders.placed":
      """
      order:
        id: risky
        currency: EUR
        country: <country>
        items: [{sku: tea, quantity: <quantity>, price: <price>}]
      """
    Then I expect "fraud.checked":
      | field        | value                  |
      | risk.score   | approx <score> ± 0.001 |
      | risk.level   | <level>                |
      | risk.reasons | <reasons>              |

    Examples:
      | why             | country | quantity | price  | score | level  | reasons                             |
      | at home         | DE      | 1        | 900    | 0.05  | low    | []                                  |
      | bulk            | AT      | 20       | 900    | 0.25  | low    | ["bulk quantity"]                   |
      | from afar       | NZ      | 1        | 900    | 0.35  | medium | ["unusual country"]                 |
      | dear, from afar | NZ      | 1        | 100000 | 0.75  | high   | ["large amount", "unusual country"] |

  Scenario: An order of high risk is held
    When I publish "orders.placed":
      """
      order:
        id: held
        currency: USD
        country: NZ
        items: [{sku: samovar, quantity: 30, price: 49900}]
      """
    Then I expect "orders.held":
      """
      risk:
        level: high
        score: !all_of [!ge 0.7, !le 1]
        reasons: !some !starts_with large
      settlement: !absent
      """
    And I expect no "orders.settled" for 150ms
