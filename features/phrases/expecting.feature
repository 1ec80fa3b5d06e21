Feature: Phrases that expect

  Background:
    Given a service that answers "phrases.placed" with "phrases.accepted":
      """
      order: "{{ trigger.order }}"
      """
    And a service that answers "phrases.accepted" with "phrases.settled" after 30ms:
      """
      order: "{{ trigger.order }}"
      """

  Scenario: One message
    When I publish "phrases.placed" from file "data/order.json"
    Then I expect "phrases.settled" where order.id is 7 within 2s of "phrases.placed"

  @deliberate
  Scenario: One message over its budget
    When I publish "phrases.placed" from file "data/order.json"
    Then I expect "phrases.settled" within 5ms

  Scenario: One message that is waited for longer than others, and does not come early
    When I publish "phrases.placed" from file "data/order.json"
    Then I expect "phrases.settled" where order.id is 7 within 2s not before 5ms waiting up to 3s

  @deliberate
  Scenario: One message that comes too early
    When I publish "phrases.placed" from file "data/order.json"
    Then I expect "phrases.settled" not before 2s

  @deliberate
  Scenario: One message that is waited for less long than others
    When I publish "phrases.placed" from file "data/order.json"
    Then I expect "phrases.rejected" waiting up to 100ms

  Scenario: A pattern
    When I publish "phrases.placed" from file "data/order.json"
    Then I expect "phrases.*" where order.customer is "Ada"

  Scenario: Matching a schema
    When I publish "phrases.placed" from file "data/order.json"
    Then I expect "phrases.settled" matching schema "data/order.schema.json"

  @deliberate @timeout(500ms)
  Scenario: Not matching a schema
    When I publish "phrases.placed":
      """
      order: {id: 10}
      """
    Then I expect "phrases.settled" matching schema "data/order.schema.json"

  Scenario: Another message
    When I publish 2 "phrases.placed" messages:
      """
      order: {id: "{{ index }}"}
      """
    Then I expect "phrases.settled"
    And I expect another "phrases.settled"

  @deliberate @timeout(500ms)
  Scenario: Another message that does not come
    When I publish "phrases.placed" from file "data/order.json"
    Then I expect "phrases.settled"
    And I expect another "phrases.settled"

  Scenario: Counts
    When I publish 2 "phrases.placed" messages:
      """
      order: {id: "{{ index }}"}
      """
    Then I expect exactly 2 "phrases.settled" messages within 600ms
    And I expect at least 2 "phrases.accepted" messages
    And I expect at most 2 "phrases.accepted" messages within 300ms

  Scenario: Between two numbers
    When I publish 2 "phrases.placed" messages:
      """
      order: {id: "{{ index }}"}
      """
    Then I expect between 1 and 3 "phrases.settled" messages within 600ms

  @deliberate
  Scenario: Fewer than between two numbers
    When I publish "phrases.placed" from file "data/order.json"
    Then I expect between 2 and 3 "phrases.settled" messages within 400ms

  @deliberate
  Scenario: At most one of two
    When I publish 2 "phrases.placed" messages:
      """
      order: {id: "{{ index }}"}
      """
    Then I expect at most 1 "phrases.settled" message within 600ms

  Scenario: None
    When I publish "phrases.placed" from file "data/order.json"
    Then I expect no "phrases.rejected" for 200ms

  @deliberate
  Scenario: None, yet one comes
    When I publish "phrases.placed" from file "data/order.json"
    Then I expect no "phrases.accepted" where order.id is 7 for 400ms

  Scenario: No other than the one that was expected
    When I publish "phrases.placed" from file "data/order.json"
    Then I expect "phrases.settled" where order.id is 7
    And I expect no other "phrases.settled" for 200ms

  @deliberate
  Scenario: No other, yet there is one
    When I publish 2 "phrases.placed" messages
    Then I expect "phrases.accepted"
    And I expect no other "phrases.accepted" for 200ms

  Scenario: Nothing else than what was expected
    When I publish "phrases.placed" from file "data/order.json"
    Then I expect "phrases.accepted"
    And I expect "phrases.settled"
    And I expect nothing else for 200ms

  @deliberate
  Scenario: Nothing else, yet there is something
    When I publish 2 "phrases.placed" messages
    Then I expect exactly 2 "phrases.accepted" messages within 300ms
    And I expect "phrases.settled"
    And I expect nothing else for 400ms

  Scenario: In order
    When I publish "phrases.placed" from file "data/order.json"
    Then I expect in order:
      | topic            | order.id |
      | phrases.placed   | 7        |
      | phrases.accepted | 7        |
      | phrases.settled  | 7        |

  @deliberate @timeout(500ms)
  Scenario: Out of order
    When I publish "phrases.placed" from file "data/order.json"
    Then I expect in order:
      | topic            |
      | phrases.settled  |
      | phrases.accepted |

  Scenario: A hop
    When I publish "phrases.placed" from file "data/order.json"
    Then from "phrases.accepted" to "phrases.settled" takes at most 2s

  Scenario: A hop between two messages that conditions tell apart
    When I publish 2 "phrases.placed" messages:
      """
      order: {id: "{{ index }}"}
      """
    Then from "phrases.accepted" where order.id is 1 to "phrases.settled" where order.id is 1 takes at most 2s

  Scenario: A hop that takes its time
    When I publish "phrases.placed" from file "data/order.json"
    Then from "phrases.accepted" to "phrases.settled" takes at least 5ms

  @deliberate
  Scenario: A hop that takes too little time
    When I publish "phrases.placed" from file "data/order.json"
    Then from "phrases.accepted" to "phrases.settled" takes at least 2s

  @deliberate
  Scenario: A slow hop
    When I publish "phrases.placed" from file "data/order.json"
    Then from "phrases.accepted" to "phrases.settled" takes at most 5ms

  Scenario: The same message again
    When I publish "phrases.placed" from file "data/order.json"
    Then I expect "phrases.settled" where order.id is 7
    And the "phrases.settled" message has:
      | field          | value |
      | order.customer | Ada   |

  Scenario: Each of several messages
    When I publish 2 "phrases.placed" messages at 20 per second:
      """
      order: {id: "{{ index }}"}
      """
    Then I expect exactly 2 "phrases.settled" messages within 600ms
    And the first "phrases.settled" message has:
      | field    | value |
      | order.id | 0     |
    And the last "phrases.settled" message has not:
      | field    | value  |
      | order.id | 0      |
      | error    | exists |

  @deliberate
  Scenario: What a message should not have
    When I publish "phrases.placed" from file "data/order.json"
    Then I expect "phrases.settled" where order.id is 7
    And the first "phrases.settled" message has not:
      | field          | value |
      | order.customer | Ada   |

  @deliberate
  Scenario: The same message, expected otherwise
    When I publish "phrases.placed" from file "data/order.json"
    Then I expect "phrases.settled" where order.id is 7
    And the "phrases.settled" message has:
      | field          | value |
      | order.customer | Bob   |
