Feature: The stock reserves what is ordered

  Scenario: What is there is reserved
    When I publish "orders.placed":
      | field | value |
      | sku   | lamp  |
      | qty   | 1     |
      | total | 40    |
    Then I expect "orders.reserved" where sku is lamp and qty is 1

  Scenario: What is not there is rejected
    When I publish "orders.placed":
      | field | value |
      | sku   | desk  |
      | qty   | 11    |
      | total | 3300  |
    Then I expect "orders.rejected":
      | field  | value        |
      | reason | out of stock |

  Scenario: It is reserved once
    When I publish "orders.placed":
      | field | value |
      | sku   | lamp  |
      | qty   | 2     |
      | total | 80    |
    Then I expect exactly 1 "orders.reserved" message within 2s

  Scenario: What is rejected is not reserved
    When I publish "orders.placed":
      | field | value |
      | sku   | rug   |
      | qty   | 50    |
      | total | 4500  |
    Then I expect "orders.rejected"
    And I expect no "orders.reserved" for 300ms

  Scenario: Several parts of an order are all reserved
    When I publish 5 "orders.placed" messages:
      | field | value           |
      | sku   | rug             |
      | qty   | {{ index + 1 }} |
      | total | 90              |
    Then I expect at least 5 "orders.reserved" messages where sku is rug
