Feature: The till charges what its queue holds

  Scenario: A transfer is charged
    When I publish "payments.charge" on rabbit:
      | field  | value    |
      | amount | 20       |
      | method | transfer |
    Then I expect "payments.charged" on rabbit where amount is 20

  Scenario: Too much is refused
    When I publish "payments.charge" on rabbit:
      | field  | value |
      | amount | 1001  |
    Then I expect "payments.refused" on rabbit
    And I expect no "payments.charged" on rabbit for 200ms

  Scenario: A voucher is charged
    When I publish "payments.charge" on rabbit:
      | field  | value   |
      | amount | 15      |
      | method | voucher |
    Then I expect "payments.charged" on rabbit where amount is 15

  Scenario: It is charged once
    When I publish "payments.charge" on rabbit:
      | field  | value |
      | amount | 30    |
    Then I expect exactly 1 "payments.charged" message on rabbit within 2s

  Scenario: What is charged gets shipped
    When I publish "payments.charge" on rabbit:
      | field  | value |
      | amount | 35    |
    Then I expect "shipping.requested" on nats
