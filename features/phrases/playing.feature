Feature: Phrases that play a service, set a variable or wait

  Scenario: A service that answers twice
    Given a service on bus that answers "phrases.ask" where n > 0 with "phrases.answer" on bus after 10ms twice:
      """
      n: "{{ trigger.n }}"
      """
    When I publish 4 "phrases.ask" messages:
      """
      n: "{{ index }}"
      """
    Then I expect exactly 2 "phrases.answer" messages within 500ms
    And the service answered "phrases.ask" twice

  @deliberate @timeout(300ms)
  Scenario: A service that answers less often than expected
    Given a service that answers "phrases.ask" with "phrases.answer"
    When I publish "phrases.ask"
    Then the service answered "phrases.ask" 2 times

  Scenario: A service that fails
    Given a service that answers "phrases.ask" with "phrases.answer" and fails
    When I publish "phrases.ask"
    Then I expect no "phrases.answer" for 200ms

  @deliberate @timeout(300ms)
  Scenario: A service that fails, and yet an answer is expected
    Given a service that answers "phrases.ask" with "phrases.answer" and fails
    When I publish "phrases.ask"
    Then I expect "phrases.answer"

  Scenario: A service that drops what it gets
    Given a service that drops "phrases.ask"
    When I publish "phrases.ask"
    Then the service never answered "phrases.ask"

  @deliberate
  Scenario: A service that answered after all
    Given a service that answers "phrases.ask" with "phrases.answer"
    When I publish "phrases.ask"
    Then the service never answered "phrases.ask"

  Scenario: Variables
    Given the default transport is bus
    And who is "Ada"
    And count is 3
    And order_id is a unique id
    And the variables:
      | name | value |
      | sku  | tea   |
    When I publish "phrases.told":
      """
      who: "{{ who }}"
      count: "{{ count }}"
      id: "{{ order_id }}"
      sku: "{{ sku }}"
      """
    Then I expect "phrases.told" where count is 3 and sku is "tea"
    And I keep "id" of "phrases.told" as told_id
    And I expect "phrases.told" where id is {{ told_id }}

  @deliberate
  Scenario: A field that cannot be kept
    When I publish "phrases.told":
      """
      n: 1
      """
    Then I expect "phrases.told" where n is 1
    And I keep "id" of "phrases.told" as told_id

  @bus(bus)
  Scenario: On each of the buses named
    When I publish "phrases.told":
      """
      n: 1
      """
    Then I expect "phrases.told" where n is 1

  @deliberate @timeout(300ms)
  Scenario: A service that drops what it gets, and yet an answer is expected
    Given a service that drops "phrases.ask"
    When I publish "phrases.ask"
    Then I expect "phrases.answer"

  @deliberate
  Scenario: A default transport that the profile does not have
    Given the default transport is nowhere
    When I publish "phrases.told"
    Then I expect no "phrases.answer" for 10ms

  @deliberate @timeout(300ms)
  Scenario Outline: A variable with another value than expected: <name>
    Given who is "Ada"
    And count is 3
    And order_id is a unique id
    And the variables:
      | name | value |
      | sku  | tea   |
    When I publish "phrases.told":
      """
      who: {{ who }}
      count: {{ count }}
      id: {{ order_id }}
      sku: {{ sku }}
      """
    Then I expect "phrases.told" where <name> is not <value>

    Examples:
      | name  | value        |
      | who   | {{ who }}    |
      | count | 3            |
      | sku   | {{ sku }}    |
      | id    | a uuid       |

  Scenario: Waiting for what comes by itself
    Given a service that answers "phrases.ask" with "phrases.answer" after 20ms
    When I publish "phrases.ask"
    And I wait 60ms
    Then I expect exactly 1 "phrases.answer" message within 100ms

  @deliberate @timeout(300ms)
  Scenario: Waiting does not bring what does not come
    When I publish "phrases.told"
    And I wait 20ms
    Then I expect "phrases.answer"
