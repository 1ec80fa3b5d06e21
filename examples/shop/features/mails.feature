Feature: Mails are sent

  Scenario: A mail is sent
    When I call POST "/mails" on web:
      | field    | value                |
      | order_id | {{ correlation_id }} |
      | to       | silent@example.com   |
    Then the response has status 202
    And I expect "mails.sent" on redis where to is silent@example.com

  Scenario: It has the subject that was asked for
    When I call POST "/mails" on web:
      | field    | value                |
      | order_id | {{ correlation_id }} |
      | to       | ann@example.com      |
      | subject  | On its way           |
    Then I expect "mails.sent" on redis:
      | field   | value      |
      | subject | On its way |

  Scenario: Nobody gets no mail
    When I call POST "/mails" on web:
      | field    | value                |
      | order_id | {{ correlation_id }} |
      | to       | nobody               |
    Then the response has status 422
    And I expect no "mails.sent" on redis for 300ms
