Feature: As other tools' documentation puts it

  Background:
    Given order_id is a unique id

  # Karate: karate-kafka, session.collect with key/headers; match contains
  Scenario: A record with key and headers, matched by parts
    Given a service that answers "orders-in" with "orders-out":
      """
      "@key": "{{ trigger.id }}"
      "@headers": {source: billing}
      id: "{{ trigger.id }}"
      lineItems: [{id: 1}, {id: 2}]
      message: hello world
      """
    When I publish "orders-in" with key "k-{{ order_id }}":
      """
      {"id": "{{ order_id }}", "ok": true}
      """
    Then I expect "orders-out":
      """
      "@headers": {source: billing}
      "@key": "{{ order_id }}"
      id: !uuid
      lineItems: !length 2
      message: !starts_with hello
      """

  # Citrus: receive with validation matchers
  Scenario: Citrus matchers
    Given a service that answers "todo.request" with "todo.report" on rabbitmq:
      | field   | value              |
      | id      | {{ trigger.id }}   |
      | title   | todo_{{ random_int(1, 9) }} |
      | created | {{ now() }}        |
      | done    | false              |
      | @headers.operation | created |
    When I publish "todo.request":
      | field | value        |
      | id    | {{ order_id }} |
    Then I expect "todo.report" on rabbitmq within 400ms:
      | field   | value            |
      | id      | {{ order_id }}   |
      | title   | matches /todo_\d/ |
      | created | a timestamp      |
      | done    | false            |
      | owner   | absent           |
      | @headers.operation | created |

  # Zerocode: produce N, consume and assert on the list
  Scenario: Zerocode produces and consumes batches in order
    When I publish 5 "demo-topic" messages at 200 per second:
      """
      key: {{ index + 1000 }}
      """
    Then I expect exactly 5 "demo-topic" messages within 200ms
    And I expect in order:
      | topic      | key  |
      | demo-topic | 1000 |
      | demo-topic | 1004 |
    And I expect at least 2 "demo-topic" messages where key > 1002

  # Spring Cloud Contract: triggered by, sent to, headers and body matchers
  Scenario: A book is returned
    Given a service that answers "input" with "output":
      """
      bookName: {{ trigger.bookName }}
      """
    When I publish "input" as an envelope:
      """
      headers: {sample: header}
      payload: {bookName: foo}
      """
    Then I expect "output" where bookName is "foo" matching schema "data/book.schema.json"

  # Pact message: type-like and each-like
  Scenario: Pact-like types
    Given a service that answers "user.request" with "user.created":
      """
      users: [{name: Ann, age: 3}, {name: Bob, age: 4}]
      """
    When I publish "user.request"
    Then I expect "user.created":
      | field         | value    |
      | users[*].name | a string |
      | users[*].age  | a number |
      | users[?].name | Bob      |

  # Dead letters and retries
  Scenario: A poison message goes to the dead letter topic after three tries
    Given a service that answers "payments" where amount < 0 with "payments.dlq":
      """
      reason: negative amount
      original: {{ trigger }}
      """
    And a service that answers "payments" where amount >= 0 with "payments.done"
    When I publish "payments":
      """
      amount: -5
      """
    Then I expect "payments.dlq" where original.amount is -5 and reason contains "negative"
    And I expect no "payments.done" for 100ms
    When I publish "payments":
      """
      amount: 5
      """
    Then I expect "payments.done"
    And I expect no "payments.dlq" for 100ms

  # Saga compensation
  Scenario: The saga is compensated in order
    Given a service that answers "trip.book" with "hotel.booked" after 5ms
    And a service that answers "hotel.booked" with "flight.failed" after 5ms
    And a service that answers "flight.failed" with "hotel.cancelled" after 5ms
    When I publish "trip.book"
    Then I expect in order within 400ms:
      | topic           |
      | hotel.booked    |
      | flight.failed   |
      | hotel.cancelled |
    And from "hotel.booked" to "hotel.cancelled" takes at most 300ms

  # Idempotency
  Scenario: A duplicate is processed once
    Given a service that answers "charge" with "charged" once
    When I publish 2 "charge" messages:
      """
      idempotencyKey: "{{ order_id }}"
      """
    Then I expect exactly 1 "charged" message within 100ms
    And the service answered "charge" once

  # request/reply on NATS style
  Scenario: Request and reply
    Given a service on nats that answers "time.now" with "time.reply":
      """
      now: {{ now() }}
      """
    When I publish "time.now" on nats
    Then I expect "time.reply" on nats where now is a timestamp

  # Fan-out
  Scenario: Fan-out by wildcard
    Given a service that answers "signup" with "mail.welcome"
    And a service that answers "signup" with "mail.audit"
    When I publish "signup"
    Then I expect "mail.>" where @topic matches /mail\.(welcome|audit)/
    And I expect another "mail.>"
    And I expect exactly 2 "mail.*" messages within 100ms

  Scenario Outline: Currency <currency> is <verdict>
    Given a service that answers "rate" where currency is one of EUR, USD with "rate.ok"
    And a service that answers "rate" where currency is not "EUR" and currency is not "USD" with "rate.unknown"
    When I publish "rate":
      | field    | value      |
      | currency | <currency> |
    Then I expect "rate.<verdict>"
    Examples:
      | currency | verdict |
      | EUR      | ok      |
      | GBP      | unknown |
  
  Rule: within a rule
    Background:
      Given who is "Ada"
    @slow(fail)
    Example: an example keyword
      When I publish "x.{{ who }}"
      Then I expect exactly 1 "x.Ada" message within 50ms
      * I expect no "x.Bob" for 50ms
      But I expect no "x.Cyd" for 50ms
