Feature: First steps
  The payment service does not exist yet, so each scenario stands in for it. When it does, delete the stand-in.

  Scenario: An order is paid for
    Given order_id is a unique id
    And a service that answers "orders.placed" with "payments.taken":
      | field    | value                     |
      | order.id | {{ trigger.order.id }}    |
      | amount   | {{ trigger.order.total }} |
      | currency | EUR                       |
    When I publish "orders.placed":
      | field       | value          |
      | order.id    | {{ order_id }} |
      | order.total | 1250           |
    Then I expect "payments.taken" within 1s:
      | field    | value          |
      | order.id | {{ order_id }} |
      | amount   | > 1000         |
      | currency | EUR            |
    And I expect no "payments.refused" for 100ms
