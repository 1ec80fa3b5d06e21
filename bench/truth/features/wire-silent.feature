@timeout(800ms)
Feature: The wire to the other bus falls silent, so nobody can say that nothing came

  Scenario: wire silent
    Given the wire to audit is whole
    When I publish "audit.begun" on audit
    And the wire to audit falls silent
    Then I expect no "audit.refused" on audit for 200ms
