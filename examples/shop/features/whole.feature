Feature: From the call to the parcel

  Scenario: An order goes all the way
    When I call POST "/orders" on web:
      | field    | value                |
      | order_id | {{ correlation_id }} |
      | sku      | vase                 |
    Then I expect "orders.placed" on kafka
    And I expect "orders.reserved" on kafka
    And I expect "payments.charged" on rabbit where amount is 25
    And I expect "shipping.booked" on nats
