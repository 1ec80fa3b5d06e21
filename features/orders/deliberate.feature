@deliberate
Feature: Deliberate failures
  Real failures, for looking at reports and diagnoses: behave --tags=deliberate
  Above each scenario stands what it must come out as.

  Background:
    Given the variables:
      | name  | value                                         |
      | items | [{"sku": "tea", "quantity": 2, "price": 450}] |

  # FAIL, wrong shape: settlement.currency is XXX, not EUR
  @timeout(300ms)
  Scenario: Settled in the wrong currency
    When I publish "orders.placed":
      """
      order: {id: d-1, currency: EUR, simulate: "wrong:settlement.currency", items: "{{ items }}"}
      """
    Then I expect "orders.accepted"
    And I expect "orders.settled":
      """
      settlement: {amount: 900, currency: EUR, fee: 39, net: 861}
      """

  # TIMEOUT, nothing arrived: settlement takes the message and stays silent
  @timeout(300ms)
  Scenario: A silent service
    When I publish "orders.placed":
      """
      order: {id: d-2, currency: EUR, simulate: silent, items: "{{ items }}"}
      """
    Then I expect "fraud.checked"
    And I expect "orders.settled"

  # SLOW, over budget: about 400 ms where 100 are allowed
  Scenario: A slow service
    When I publish "orders.placed":
      """
      order: {id: d-3, currency: EUR, simulate: "slow:400", items: "{{ items }}"}
      """
    Then I expect "orders.settled" within 100ms

  # TIMEOUT, too late: the message comes about 100 ms after the wait has ended
  @timeout(200ms)
  Scenario: A service slower than anybody waits
    When I publish "orders.placed":
      """
      order: {id: d-4, currency: EUR, simulate: "slow:300", items: "{{ items }}"}
      """
    Then I expect "orders.settled" where order.id is "d-4"

  # TIMEOUT, wrong correlation: settlement makes up an id of its own
  @timeout(300ms)
  Scenario: A stranger's correlation id
    When I publish "orders.placed":
      """
      order: {id: d-5, currency: EUR, simulate: stranger, items: "{{ items }}"}
      """
    Then I expect "orders.settled" where order.id is "d-5"

  # TIMEOUT, wrong topic?: the message goes to orders.setled
  @timeout(300ms)
  Scenario: A typo in a topic
    When I publish "orders.placed":
      """
      order: {id: d-6, currency: EUR, simulate: "topic:orders.setled", items: "{{ items }}"}
      """
    Then I expect "orders.settled" where order.id is "d-6"

  # FAIL, undecodable: what arrives is not JSON
  @timeout(300ms)
  Scenario: Bytes that nobody can read
    When I publish "orders.placed":
      """
      order: {id: d-7, currency: EUR, simulate: garbage, items: "{{ items }}"}
      """
    Then I expect "orders.settled" where order.id is "d-7"

  # FAIL, unexpected: the order is settled after all
  Scenario: A message that should not have come
    When I publish "orders.placed":
      """
      order: {id: d-8, currency: EUR, items: "{{ items }}"}
      """
    Then I expect no "orders.settled" for 200ms

  # FAIL, too few: one of three orders is rejected
  Scenario: A message too few
    When I publish 3 "orders.placed" messages:
      """
      order:
        id: "d-9-{{ index }}"
        currency: "{{ ['EUR', 'DKK', 'USD'][index] }}"
        items: "{{ items }}"
      """
    Then I expect exactly 3 "orders.settled" messages within 200ms
