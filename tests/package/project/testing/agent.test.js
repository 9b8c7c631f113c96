import { openAgent } from './agent.js';

test('the agent finds the allergy', async () => {
  const agent = await openAgent('memory:');
  await agent.hear('Ada is allergic to peanuts');
  expect(await agent.answer('What food makes her ill?')).toMatch('allergic to peanuts');
  await agent.close();
});
