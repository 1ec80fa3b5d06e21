Feature: Phrases that publish

  Scenario: One message
    When I publish "phrases.one":
      | field    | value |
      | order.id | 7     |
    Then I expect "phrases.one" where order.id is 7

  @deliberate
  Scenario: One message, expected otherwise
    Given a service that answers "phrases.one" with "phrases.two":
      """
      n: "{{ trigger.n }}"
      """
    When I publish "phrases.one":
      """
      n: 1
      """
    Then I expect exactly 0 "phrases.two" messages within 200ms

  Scenario: With a key
    # NATS, RabbitMQ and Redis Pub/Sub have no keys, and lint says so there
    When I publish "phrases.keyed" with key "k-1":
      """
      n: 1
      """
    Then I expect "phrases.keyed" where n is 1

  Scenario: From a file
    When I publish "phrases.filed" from file "data/order.json"
    Then I expect "phrases.filed" where order.customer is "Ada"

  @deliberate
  Scenario: From a file, and nothing is expected
    When I publish "phrases.filed" from file "data/order.json"
    Then I expect no "phrases.filed" where order.customer is "Ada" for 200ms

  Scenario: As an envelope
    When I publish "phrases.enveloped" as an envelope:
      """
      payload: {n: 1}
      """
    Then I expect "phrases.enveloped" where n is 1

  @deliberate
  Scenario: As an envelope, and nothing is expected
    When I publish "phrases.enveloped" as an envelope:
      """
      payload: {n: 1}
      """
    Then I expect no "phrases.enveloped" where n is 1 for 200ms

  Scenario: A burst
    When I publish 3 "phrases.burst" messages at 100 per second:
      """
      n: "{{ index }}"
      """
    Then I expect exactly 3 "phrases.burst" messages within 400ms
    And I expect "phrases.burst" where n is 2

  Scenario: A burst with a key for each message
    When I publish 3 "phrases.burst" messages with key "k-{{ index }}" at 100 per second:
      """
      n: "{{ index }}"
      """
    Then I expect "phrases.burst" where n is 2

  Scenario: A key and no payload
    When I publish "phrases.gone" with key "k-1" and no payload
    Then I expect no "phrases.rejected" for 200ms

  @deliberate @timeout(400ms)
  Scenario: A key and no payload, of which nobody takes notice
    When I publish "phrases.gone" with key "k-1" and no payload
    Then I expect "phrases.rejected"

  @deliberate @timeout(400ms)
  Scenario: A burst that is too small
    When I publish 2 "phrases.burst" messages
    Then I expect at least 3 "phrases.burst" messages

  Scenario: Raw bytes stay on their topic
    When I publish "phrases.raw" as raw bytes:
      """
      hex: 00ff
      """
    Then I expect no "phrases.cooked" for 200ms

  @deliberate @timeout(400ms)
  Scenario: Raw bytes are something where nothing is wanted
    When I publish "phrases.raw" as raw bytes:
      """
      hex: 00ff
      """
    Then I expect no "phrases.raw" for 200ms

  @deliberate @timeout(400ms)
  Scenario: Raw bytes nobody can read
    When I publish "phrases.raw" as raw bytes:
      """
      hex: 00ff
      """
    Then I expect "phrases.raw" where n is 1

  Scenario: A request and its reply
    When I request "phrases.stock":
      """
      sku: tea
      """
    Then I expect a reply where sku is "tea" within 2s:
      """
      level: 3
      """

  Scenario: A reply that is looked at again, and kept
    When I request "phrases.stock":
      """
      sku: tea
      """
    Then I expect a reply where sku is "tea"
    And the reply has:
      | field | value |
      | level | 3     |
    And the reply has not:
      | field | value  |
      | error | exists |
    And I keep "level" of the reply as level
    When I publish "phrases.told":
      """
      level: "{{ level }}"
      """
    Then I expect "phrases.told" where level is 3

  @deliberate
  Scenario Outline: A reply that is not as it is told: <told>
    When I request "phrases.stock":
      """
      sku: tea
      """
    Then I expect a reply
    And the reply <told>:
      | field | value   |
      | level | <level> |

    Examples:
      | told    | level |
      | has     | 4     |
      | has not | 3     |

  @deliberate
  Scenario: A field of the reply that cannot be kept
    When I request "phrases.stock":
      """
      sku: tea
      """
    Then I expect a reply
    And I keep "price" of the reply as price

  @deliberate @timeout(500ms)
  Scenario: A request with another reply than expected
    When I request "phrases.stock":
      """
      sku: tea
      """
    Then I expect a reply where level is 4

  @deliberate @timeout(400ms)
  Scenario: A request nobody answers
    When I request "phrases.nobody"
    Then I expect a reply
