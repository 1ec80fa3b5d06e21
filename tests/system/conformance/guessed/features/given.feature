Feature: Given
  Scenario: default transport
    Given the default transport is nats
    When I publish "a.b"
    Then I expect exactly 1 "a.b" message within 50ms

  Scenario: default transport with colon
    Given the default transport is nats:
    When I publish "a.b" on nats:
    Then I expect at least 1 "a.b" messages on nats where id is absent:

  Scenario: variables
    Given customer is "Ada"
    And quantity is 3
    And price is 1.5e2
    And negative is -7
    And active is true
    And nothing is null
    And tags is ["a", "b"]
    And address is {"city": "Ulm"}
    And order_id is a unique id
    And the variables:
      | name  | value |
      | sku   | A-1   |
      | count | 42    |
      | text  | "42"  |
    When I publish "orders.placed":
      | field    | value          |
      | customer | {{ customer }} |
      | quantity | {{ quantity }} |
      | price    | {{ price }}    |
      | neg      | {{ negative }} |
      | active   | {{ active }}   |
      | nothing  | {{ nothing }}  |
      | tags     | {{ tags }}     |
      | address  | {{ address }}  |
      | id       | {{ order_id }} |
      | sku      | {{ sku }}      |
      | count    | {{ count }}    |
      | text     | {{ text }}     |
    Then I expect "orders.placed":
      """
      customer: Ada
      quantity: 3
      price: 150
      neg: -7
      active: true
      nothing: null
      tags: [a, b]
      address: {city: Ulm}
      id: !uuid
      sku: A-1
      count: 42
      text: "42"
      """

  Scenario: a stand-in
    Given a service that answers "fraud.check" with "fraud.checked":
      """
      id: {{ trigger.id }}
      risk: low
      """
    When I publish "fraud.check":
      | field | value |
      | id    | 5     |
    Then I expect "fraud.checked" where id is 5 and risk is "low" within 500ms
    And the service answered "fraud.check"
    And the service answered "fraud.check" once
    And the service answered "fraud.check" 1 time
    And the service answered "fraud.check" 1 times

  Scenario: a stand-in on a transport, delay, other transport
    Given a service on nats that answers "fraud.check" with "fraud.checked" on kafka after 20ms:
      | field | value            |
      | id    | {{ trigger.id }} |
    When I publish "fraud.check" on nats:
      """
      {"id": 5}
      """
    Then I expect "fraud.checked" on kafka where id is 5

  Scenario: a stand-in with a delay after the body words
    Given a service that answers "fraud.check" with "fraud.checked" after 20ms twice
    When I publish 3 "fraud.check" messages
    Then I expect exactly 2 "fraud.checked" messages within 200ms
    And the service answered "fraud.check" 2 times
    And the service answered "fraud.check" twice

  Scenario: a stand-in with a condition
    Given a service that answers "fraud.check" where amount > 100 with "fraud.alert":
      """
      amount: {{ trigger.amount }}
      """
    When I publish "fraud.check":
      """
      amount: 50
      """
    And I publish "fraud.check":
      """
      amount: 500
      """
    Then I expect exactly 1 "fraud.alert" message where amount is 500 within 200ms
    And the service answered "fraud.check" once

  Scenario: a stand-in N times
    Given a service that answers "x" with "y" 2 times
    When I publish 4 "x" messages
    Then I expect exactly 2 "y" messages within 100ms

  Scenario: a stand-in with drop
    Given a service that drops "x"
    When I publish "x"
    Then I expect no "y" for 100ms
    And the service never answered "x"

  Scenario: a stand-in with drop on transport
    Given a service on nats that drops "x" where id is 5
    When I publish "x" on nats
    Then I expect no "y" on nats for 100ms
    And the service never answered "x"

  Scenario: a stand-in that fails
    Given a service that answers "x" with "y" and fails
    When I publish "x"
    Then I expect no "y" for 50ms
    And the service never answered "x"
