Feature: Phases
  Act, check, act again: each act begins a phase, and a check sees the messages of its own phase only.

  Background:
    Given order_id is a unique id
    And country is "AT"

  Scenario: The test plays the carrier by hand
    When I publish "orders.placed" from file "data/courier-order.yaml"
    Then I expect "carrier.booking.requested" where booking.country is "AT"
    And I keep "booking.reference" of "carrier.booking.requested" as reference
    But I expect no "orders.shipped" for 100ms
    When I publish "carrier.booking.confirmed":
      | field     | value           |
      | reference | {{ reference }} |
      | tracking  | TRK-77          |
    Then I expect "orders.shipped":
      | field     | value           |
      | reference | {{ reference }} |
      | tracking  | TRK-77          |
      | order.id  | {{ order_id }}  |

  Scenario: The first order's settlement does not count for the second
    When I publish "orders.placed" from file "data/tea-order.json"
    Then I expect exactly 1 "orders.settled" message within 250ms
    When I publish "orders.placed" from file "data/courier-order.yaml"
    Then I expect exactly 1 "orders.settled" message within 250ms
    And I expect "orders.settled" where order.id is "{{ order_id }}"

  Scenario: An answer to nothing that was asked
    When I publish "carrier.booking.confirmed":
      """
      reference: {{ uuid() }}
      tracking: TRK-0
      """
    Then I expect no "orders.shipped" for 100ms
    When I publish "orders.placed" from file "data/courier-order.yaml"
    Then I expect "orders.settled"
