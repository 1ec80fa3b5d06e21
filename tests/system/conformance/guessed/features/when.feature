Feature: When
  Scenario: publish plain
    When I publish "a"
    Then I expect "a":
      """
      id: !absent
      """
    And I expect at most 1 "a" message within 20ms

  Scenario: publish with key
    When I publish "a" with key "k-1":
      """
      id: 1
      """
    Then I expect "a":
      | field | value |
      | @key  | k-1   |
      | id    | 1     |

  Scenario: publish on with key
    When I publish "a" on nats with key "k-1"
    Then I expect "a" on nats where @key is "k-1"

  Scenario: from file json
    Given customer is "Ada"
    When I publish "a" from file "data/o.json"
    Then I expect "a" where who is "Ada" and id is 9

  Scenario: from file yaml
    Given customer is "Ada"
    When I publish "a" on nats from file "data/o.yaml"
    Then I expect "a" on nats where who is "Ada" and id is 9

  Scenario: from file bin
    When I publish "a" on raw from file "data/o.bin"
    Then I expect exactly 1 "a" message on raw within 20ms

  Scenario: envelope
    When I publish "a" as an envelope:
      """
      key: k
      headers:
        tenant: acme
        n: 3
      payload:
        id: 7
      """
    Then I expect "a":
      """
      "@key": k
      "@headers":
        tenant: acme
      id: 7
      """
    And the "a" message has:
      | field           | value |
      | @headers.tenant | acme  |
      | @headers.n      | 3     |
      | @topic          | a     |

  Scenario: burst
    When I publish 3 "a" messages:
      """
      index: {{ index }}
      """
    Then I expect exactly 3 "a" messages within 100ms
    And I expect in order:
      | topic | index |
      | a     | 0     |
      | a     | 1     |
      | a     | 2     |

  Scenario: burst with a rate
    When I publish 3 "a" messages on nats at 100 per second:
      | field | value       |
      | index | {{ index }} |
    Then I expect at least 3 "a" messages on nats

  Scenario: burst one
    When I publish 1 "a" message
    Then I expect at most 1 "a" message within 50ms

  Scenario: raw bytes text
    When I publish "a" on txt as raw bytes:
      """
      hello
      """
    Then I expect "a" on txt:
      """
      hello
      """

  Scenario: raw bytes hex
    When I publish "a" on txt as raw bytes:
      """
      hex: 68 69
      """
    Then I expect "a" on txt:
      """
      hi
      """

  Scenario: raw bytes b64
    When I publish "a" as raw bytes:
      """
      base64: eyJpZCI6IDF9
      """
    Then I expect "a" where id is 1

  Scenario: wait
    When I wait 20ms
    And I wait 0.02 seconds
    And I wait 20 milliseconds
    And I publish "a"
    Then I expect exactly 1 "a" message within 20ms

  Scenario: several rows
    When I publish "a":
      | id | name |
      | 1  | one  |
      | 2  | two  |
    Then I expect "a":
      | id | name |
      | 1  | one  |
      | 2  | two  |
    And I expect exactly 2 "a" messages within 50ms

  Scenario: request
    Given a service that answers "stock.level" with "stock.reply":
      """
      level: 3
      """
    When I request "stock.level":
      """
      sku: tea
      """
    Then I expect "stock.reply" where level is 3
