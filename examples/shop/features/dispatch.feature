Feature: The dispatch books parcels

  Scenario: A parcel to Germany is booked
    When I publish "shipping.requested" on nats:
      | field   | value |
      | country | DE    |
      | kilos   | 2     |
    Then I expect "shipping.booked" on nats

  Scenario: Abroad a courier takes it
    When I publish "shipping.requested" on nats:
      | field   | value |
      | country | FR    |
      | kilos   | 2     |
    Then I expect "shipping.booked" on nats:
      | field   | value   |
      | carrier | courier |

  Scenario: What is too heavy is not booked
    When I publish "shipping.requested" on nats:
      | field   | value |
      | country | NL    |
      | kilos   | 31    |
    Then I expect no "shipping.booked" on nats for 400ms

  Scenario: It tells the price of a parcel
    When I request "shipping.quote" on nats:
      | field | value |
      | kilos | 3     |
    Then I expect a reply:
      | field | value |
      | price | 7     |

  Scenario: What is booked is noted
    When I publish "shipping.requested" on nats:
      | field   | value |
      | country | NL    |
      | kilos   | 1     |
    Then I expect "audit.noted" on nats where what is booked
