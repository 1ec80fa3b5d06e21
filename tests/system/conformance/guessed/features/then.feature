Feature: Then
  Background:
    Given a service that answers "in" with "out":
      """
      id: {{ trigger.id }}
      total: 12.5
      status: PAID
      items: [{sku: A-1, qty: 2}, {sku: A-2, qty: 3}]
      note: hello world
      """
    And a service that answers "in" with "done" after 20ms:
      """
      id: {{ trigger.id }}
      """

  Scenario Outline: conditions <c>
    When I publish "in":
      """
      id: 5
      """
    Then I expect "out" where <c> within 1s
    Examples:
      | c                                        |
      | id is 5                                  |
      | id is not 6                              |
      | id > 4                                   |
      | id >= 5                                  |
      | id < 6                                   |
      | id <= 5                                  |
      | status is one of PAID, OPEN              |
      | status is one of "PAID", "OPEN"          |
      | status matches /PA.*/                    |
      | status exists                            |
      | missing is absent                        |
      | note contains "hello"                    |
      | note contains hello                      |
      | status is "PAID" and id is 5             |
      | status is PAID                           |
      | status is "PAID" and note is "hello world" and total > 12 |
      | items[0].sku is "A-1"                    |
      | items[*].qty > 1                         |
      | items[?].sku is "A-2"                    |
      | @topic is "out"                          |
      | id is a number                           |
      | status is a string                       |
      | id is between 1 and 9                    |
      | total is approx 12.4 ± 0.2               |
      | status is not null                       |
      | status starts with "PA"                  |
      | status is any                            |

  Scenario: counts
    When I publish 2 "in" messages:
      """
      id: 1
      """
    Then I expect exactly 2 "out" messages
    And I expect at least 2 "out" messages within 100ms
    And I expect at most 2 "out" messages where id is 1 within 100ms

  Scenario: counts with transports
    When I publish "in":
      """
      id: 1
      """
    Then I expect exactly 1 "out" message on kafka where id is 1 within 100ms:
      | field  | value |
      | status | PAID  |

  Scenario: absence
    When I publish "in":
      """
      id: 1
      """
    Then I expect no "other" for 50ms
    And I expect no "out" where id is 2 for 50ms
    And I expect no "out" on kafka where id is 3 for 50ms:
      | field | value |
      | note  | x     |
    And I expect no "none" on nats for 0.05 seconds

  Scenario: order
    When I publish "in":
      """
      id: 1
      """
    Then I expect in order:
      | topic | id | transport |
      | out   | 1  | kafka     |
      | done  | 1  |           |
    And I expect in order on kafka within 1 second:
      | topic | id  |
      | out   | > 0 |
      | done  | 1   |

  Scenario: schema
    When I publish "in":
      """
      id: 1
      """
    Then I expect "out" matching schema "data/order.schema.json"
    And I expect "done" where id is 1 within 1s matching schema "data/order.schema.json"

  Scenario: another
    When I publish 2 "in" messages:
      """
      id: {{ index }}
      """
    Then I expect "out" where id is 0
    And I expect another "out"
    And I expect another "done" where id is 1 within 1s

  Scenario: keep
    When I publish "in":
      """
      id: 1
      """
    Then I expect "out"
    And I keep "id" of "out" as kept
    And I keep "items[0].sku" of "out" as sku
    And I keep "items[*].qty" of "out" as qtys
    And I keep "@topic" of "out" as topic
    And the "out" message has:
      """
      id: "{{ kept }}"
      items: !some {sku: "{{ sku }}"}
      """
    And the "out" message has:
      | field        | value       |
      | id           | {{ kept }}  |
      | items[*].qty | > 1         |

  Scenario: hop
    When I publish "in":
      """
      id: 1
      """
    Then from "in" to "out" takes at most 500ms
    And from "out" to "done" takes at most 500ms
    And I expect "done" within 500ms of "in"

  Scenario: pattern
    When I publish "orders.eu.placed":
      """
      id: 1
      """
    Then I expect "orders.*.placed" where id is 1
    And I expect "orders.>" where @topic is "orders.eu.placed"

  Scenario: one message per row
    When I publish "in":
      """
      id: 1
      """
    Then I expect "out":
      | id | status |
      | 1  | PAID   |

  Scenario: phases
    When I publish "in":
      """
      id: 1
      """
    Then I expect "out" where id is 1
    When I publish "in":
      """
      id: 2
      """
    Then I expect "out" where id is 2
    And I expect no "out" where id is 1 for 50ms

  @timeout(5s) @slow(warn)
  Scenario: tags
    When I publish "in":
      """
      id: 1
      """
    Then I expect "done" within 1ms
