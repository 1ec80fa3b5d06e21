Feature: Shipping
  The carrier is another company's service. The scenarios stand in for it.

  Background:
    Given order_id is a unique id
    And country is "DE"

  Scenario: The carrier confirms
    Given a service that answers "carrier.booking.requested" with "carrier.booking.confirmed" after 20ms:
      """
      reference: "{{ trigger.booking.reference }}"
      tracking: "TRK-{{ trigger.booking.country }}-{{ trigger.booking.parcels }}"
      """
    When I publish "orders.placed" from file "data/courier-order.yaml"
    Then I expect "orders.shipped" where tracking is "TRK-DE-2" within 1s:
      | field     | value          |
      | order.id  | {{ order_id }} |
      | reference | a uuid         |
    And the service answered "carrier.booking.requested"

  Scenario Outline: The carrier serves some countries: <country>
    Given country is "<country>"
    And a service that answers "carrier.booking.requested" where booking.country is one of DE, AT with "carrier.booking.confirmed":
      | field     | value                           |
      | reference | {{ trigger.booking.reference }} |
      | tracking  | TRK-1                           |
    And a service that answers "carrier.booking.requested" where booking.country is "CH" with "carrier.booking.refused":
      | field     | value                           |
      | reference | {{ trigger.booking.reference }} |
      | reason    | customs                         |
    When I publish "orders.placed" from file "data/courier-order.yaml"
    Then I expect "<answer>":
      | field   | value   |
      | <field> | <value> |

    Examples:
      | country | answer         | field    | value   |
      | AT      | orders.shipped | tracking | TRK-1   |
      | CH      | orders.delayed | reason   | customs |

  Scenario: A carrier that takes one booking only
    Given a service that answers "carrier.booking.requested" with "carrier.booking.confirmed" once:
      """
      reference: "{{ trigger.booking.reference }}"
      """
    When I publish 2 "orders.placed" messages:
      """
      order:
        id: "{{ order_id }}-{{ index }}"
        currency: EUR
        delivery: courier
        items: [{sku: tea, quantity: 1, price: 450}]
      """
    Then I expect exactly 2 "carrier.booking.requested" messages within 250ms
    And I expect exactly 1 "orders.shipped" message within 250ms

  Scenario: A carrier that stays silent
    Given a service that drops "carrier.booking.requested"
    When I publish "orders.placed" from file "data/courier-order.yaml"
    Then I expect "carrier.booking.requested" where booking.parcels is 2
    But I expect no "orders.shipped" for 150ms
    And the service never answered "carrier.booking.requested"

  Scenario: A carrier that breaks
    Given a service that answers "carrier.booking.requested" with "carrier.booking.confirmed" and fails
    When I publish "orders.placed" from file "data/courier-order.yaml"
    Then I expect "orders.settled"
    But I expect no "orders.shipped" for 150ms

  @timeout(500ms)
  Scenario: An order to be fetched needs no carrier
    Given a service that answers "carrier.booking.requested" with "carrier.booking.confirmed":
      """
      reference: "{{ trigger.booking.reference }}"
      """
    When I publish "orders.placed" from file "data/tea-order.json"
    Then I expect "orders.settled"
    And I expect no "carrier.booking.requested" for 100ms
    And the service never answered "carrier.booking.requested"
