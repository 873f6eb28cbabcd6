import { memo } from 'preact/compat';
import { useState } from 'preact/hooks';
import type { UserQuestion } from '../../src/protocol/transcript.ts';
import { Button } from '../controls/button.tsx';
import { Icon } from '../controls/icon.tsx';
import { TextArea } from '../controls/textField.tsx';
import { useHost } from '../host.ts';
import { useReturnFocus } from '../returnFocus.ts';
import { Visible } from './commandText.tsx';

/** A question of the agent's: choose an option, or answer in own words. */
export const QuestionCard = memo(function QuestionCard({ question }: { question: UserQuestion }) {
  const host = useHost();
  const card = useReturnFocus();
  const [own, setOwn] = useState('');
  const answer = (text: string) => {
    if (text.trim() !== '')
      host.post({ type: 'answerQuestion', id: question.id, answer: text.slice(0, 20_000) });
  };
  return (
    <div ref={card} class="card question" role="group" aria-label="Question from Cordon">
      <div class="card-head">
        <Icon name="question" />
        <h3>
          <Visible text={question.question} />
        </h3>
      </div>
      {question.options.length === 0 ? null : (
        <div class="options">
          {question.options.map((option, index) => (
            <Button key={index} onPress={() => answer(option)}>
              {option}
            </Button>
          ))}
        </div>
      )}
      <div class="own-answer">
        <TextArea
          label="Your answer"
          value={own}
          onInput={setOwn}
          onEnter={() => answer(own)}
          maxLength={20_000}
        />
        <Button kind="primary" inactive={own.trim() === ''} onPress={() => answer(own)}>
          Answer
        </Button>
      </div>
    </div>
  );
});
